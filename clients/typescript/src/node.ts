/** wim-match from Node, over gRPC. */
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { type Caller, callerOf, retrying } from "./index.js";

/** Files in PEM for a service whose address begins with `https://`. */
export interface Tls {
  /** Authorities of the service; without them, those that Node trusts. */
  ca?: string | Buffer;
  /** Client certificate of the caller. */
  cert?: string | Buffer;
  /** Its key. */
  key?: string | Buffer;
}

/** A connection to the service at `server`, for example `https://wim.example.org:50051`. */
export function connect(server: string, caller: Caller = {}, tls: Tls = {}): Transport {
  return createGrpcTransport({
    baseUrl: server,
    interceptors: [retrying(), callerOf(caller)],
    ...(server.startsWith("https://") ? { nodeOptions: { ...tls } } : {}),
  });
}
