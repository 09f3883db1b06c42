// A program: `node ask.mjs`, with the task as JSON in TASK. Prints what its client saw.
import { StreamClient } from '@liveai/client';

const { baseUrl, tokens, prompt, stopsAt } = JSON.parse(process.env.TASK);
let renewals = 0;
const getToken = async ({ isRenewal }) => tokens[(renewals += isRenewal ? 1 : 0)];
const client = new StreamClient({ baseUrl, ...(tokens && { getToken }) });
const answer = client.start({ blockType: 'ask-question', prompt });
const seqs = [];
let hasSaid = false;
for await (const event of answer) {
  if ('seq' in event) seqs.push(event.seq);
  if (event.type !== 'chunk') continue;
  if (!hasSaid) console.log('Writing');
  hasSaid = true;
  if (stopsAt && answer.state.text.includes(stopsAt)) await answer.cancel();
}
const { state, problem, stopProblem, metrics } = answer;
const code = (problem ?? stopProblem)?.code;
console.log(JSON.stringify({ streamId: state.streamId, text: state.text, status: state.status, code, seqs, renewals, reconnects: metrics.reconnects }));
