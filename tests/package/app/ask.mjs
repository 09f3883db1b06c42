// A program: `node ask.mjs`, with the task as JSON in TASK. Prints what its client saw.
import { StreamClient } from '@liveai/client';

const { baseUrl, tokens, prompt, stopsAt } = JSON.parse(process.env.TASK);
let renewals = 0;
const getToken = async ({ isRenewal }) => tokens[(renewals += isRenewal ? 1 : 0)];
const client = new StreamClient({ baseUrl, ...(tokens && { getToken }) });
const answer = client.start({ blockType: 'ask-question', prompt });
const gaps = []; // between events, and events that came twice
let seq = -1;
for await (const event of answer) {
  if ('seq' in event) {
    // One chunk may stand for several, and a snapshot for all before it.
    if (event.type !== 'snapshot' && (event.first_seq ?? event.seq) !== seq + 1) gaps.push([seq, event]);
    seq = event.seq;
  }
  if (event.type === 'chunk' && stopsAt && answer.state.text.includes(stopsAt)) await answer.cancel();
}
const { state, problem, stopProblem, metrics } = answer;
const code = (problem ?? stopProblem)?.code;
console.log(JSON.stringify({ streamId: state.streamId, text: state.text, status: state.status, code, seq, gaps, renewals, reconnects: metrics.reconnects }));
