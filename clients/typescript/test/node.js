// From Node over gRPC: a coordinator opens a round and reads it, and a stranger learns only that she is one.
//
//     WIM_MATCH_SERVER=http://127.0.0.1:50051 WIM_MATCH_TOKEN=... npm run test:node
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Code, createClient } from "@connectrpc/connect";
import { requestId } from "wim-match";
import { RoundService } from "wim-match/gen/wim/mentorship/v1/round_service_pb.js";
import { connect } from "wim-match/node";

const server = process.env.WIM_MATCH_SERVER;
const tls = process.env.WIM_MATCH_CA ? { ca: readFileSync(process.env.WIM_MATCH_CA) } : {};
const rounds = createClient(RoundService, connect(server, { token: process.env.WIM_MATCH_TOKEN, language: "es" }, tls));
const roundId = `typescript-${requestId().slice(0, 8)}`;
const round = { displayName: "A round from TypeScript", startDate: "2027-01-15", endDate: "2027-07-15", allMembers: true };
const request = { roundId, round, requestId: requestId() };
const opened = await rounds.createRound(request);
assert.equal(opened.round.name, `rounds/${roundId}`);
assert.equal((await rounds.createRound(request)).round.name, opened.round.name, "a repetition opens nothing new");
const read = await rounds.getRound({ name: opened.round.name });
assert.equal(read.round.displayName, round.displayName);
const stranger = createClient(RoundService, connect(server, {}, tls));
await assert.rejects(stranger.getRound({ name: opened.round.name }), (error) => error.code === Code.Unauthenticated);
console.log(`opened ${read.round.name} from Node`);
