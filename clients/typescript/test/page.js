// The page of browser.js: calls the service, and reports to the server of the page what it got.
import { Code, createClient } from "@connectrpc/connect";
import { RoundService } from "wim-match/gen/wim/mentorship/v1/round_service_pb.js";
import { RunService } from "wim-match/gen/wim/mentorship/v1/run_service_pb.js";
import { connect } from "wim-match/web";

const { server, token } = await (await fetch("/settings")).json();
const codeOf = async (call) => {
  try {
    await call;
    return "OK";
  } catch (error) {
    return Code[error.code] ?? String(error);
  }
};
const transport = connect(server, { token });
const rounds = createClient(RoundService, transport);
const runs = createClient(RunService, transport);
const watched = async (name) => {
  for await (const update of runs.watchRun({ name })) {
    return update.run.state;
  }
};
let report;
try {
  report = {
    rounds: (await rounds.listRounds({ pageSize: 5 })).rounds.map(({ name }) => name),
    missing: await codeOf(rounds.getRound({ name: "rounds/there-is-none" })),
    watched: await codeOf(watched("rounds/there-is-none/runs/1")),
    stranger: await codeOf(createClient(RoundService, connect(server)).listRounds({})),
  };
} catch (error) {
  report = { failed: String(error) };
}
await fetch("/report", { method: "POST", body: JSON.stringify(report) });
