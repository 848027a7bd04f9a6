// The retry policy, without a network.
import assert from "node:assert/strict";
import test from "node:test";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { RoundService } from "wim-match/gen/wim/mentorship/v1/round_service_pb.js";
import { retrying } from "wim-match";

/** Answers with these errors first, and then well. Returns the waits between the attempts, and how the call ended. */
async function call(errors) {
  const waits = [];
  const left = [...errors];
  const transport = createRouterTransport(
    ({ service }) => {
      service(RoundService, {
        listRounds() {
          const error = left.shift();
          if (error) throw error;
          return {};
        },
      });
    },
    { transport: { interceptors: [retrying(async (ms) => void waits.push(ms))] } },
  );
  try {
    await createClient(RoundService, transport).listRounds({});
    return { waits, left: left.length, code: undefined };
  } catch (error) {
    return { waits, left: left.length, code: error.code };
  }
}

const told = (code, ms) => new ConnectError("refused", code, ms === undefined ? {} : { "grpc-retry-pushback-ms": ms });

test("the wait that the service names is obeyed exactly", async () => {
  const { waits, code } = await call([told(Code.ResourceExhausted, "120"), told(Code.Unavailable, "7")]);
  assert.deepEqual([waits, code], [[120, 7], undefined]);
});

test("without a wait the pauses grow, and have an end", async () => {
  const { waits, left, code } = await call(Array.from({ length: 9 }, () => told(Code.Unavailable)));
  assert.equal(code, Code.Unavailable);
  assert.deepEqual([waits.length, left], [4, 4], "five attempts");
  waits.forEach((wait, at) => assert.ok(wait >= 0 && wait <= 200 * 2 ** at, `${wait} ms`));
});

test("what is not to be repeated is not repeated", async () => {
  for (const error of [told(Code.ResourceExhausted, "-1"), told(Code.PermissionDenied), told(Code.InvalidArgument, "5")]) {
    const { waits, code } = await call([error]);
    assert.deepEqual([waits, code], [[], error.code]);
  }
});
