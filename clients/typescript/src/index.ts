/**
 * Client of wim-match for TypeScript: what Node and browsers share. The services and messages of the contract are in `gen/`.
 *
 * `callerOf` puts the credential and the language of the reader into every call. `retrying` repeats a call that the service refused for
 * now, as the published policy of `clients/service-config.json` says. A mutation needs a `requestId`: with it a repetition has no second
 * effect.
 */
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import policy from "./service-config.json" with { type: "json" };

/** Who calls, and in which language the texts of the service are. */
export interface Caller {
  /** An API token or a JWT; without one the client certificate of the connection counts. */
  token?: string;
  /** en, es, fr or pt. */
  language?: string;
}

/** Puts the credential and the language into every call. */
export function callerOf({ token, language = "en" }: Caller): Interceptor {
  return (next) => (request) => {
    request.header.set("accept-language", language);
    if (token !== undefined) {
      request.header.set("authorization", `Bearer ${token}`);
    }
    return next(request);
  };
}

const method = policy.methodConfig[0]!;
const retry = method.retryPolicy;
const services = new Set(method.name.map(({ service }) => service));
const retryable = new Set(retry.retryableStatusCodes);
const milliseconds = (text: string) => Number.parseFloat(text) * 1000;

/** Repeats unary calls by the published policy. The service may say after which time, or that a repetition is of no use. */
export function retrying(sleep: (ms: number) => Promise<void> = (ms) => new Promise((done) => setTimeout(done, ms))): Interceptor {
  return (next) => async (request) => {
    if (request.stream || !services.has(request.service.typeName)) {
      return next(request);
    }
    let backoff = milliseconds(retry.initialBackoff);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await next(request);
      } catch (error) {
        const wait = pause(ConnectError.from(error), backoff);
        if (wait === undefined || attempt >= retry.maxAttempts || request.signal.aborted) {
          throw error;
        }
        await sleep(wait);
        backoff = Math.min(backoff * retry.backoffMultiplier, milliseconds(retry.maxBackoff));
      }
    }
  };
}

/** The time until the next attempt; `undefined` if there is none. */
function pause(error: ConnectError, backoff: number): number | undefined {
  const code = Code[error.code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
  if (!retryable.has(code)) {
    return undefined;
  }
  const told = error.metadata.get("grpc-retry-pushback-ms");
  if (told === null) {
    return Math.random() * backoff;
  }
  const wait = Number.parseInt(told, 10);
  return wait >= 0 ? wait : undefined;
}

/** A new `requestId`: the same id sent again makes a retry safe. */
export function requestId(): string {
  return globalThis.crypto.randomUUID();
}
