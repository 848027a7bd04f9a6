/** wim-match from a browser, over gRPC-Web. The page's origin has to be in the setting `cors_origins` of the service. */
import type { Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { type Caller, callerOf, retrying } from "./index.js";

/** A connection to the service at `server`, for example `https://wim.example.org:50051`. */
export function connect(server: string, caller: Caller = {}): Transport {
  return createGrpcWebTransport({ baseUrl: server, interceptors: [retrying(), callerOf(caller)] });
}
