/** A start may name a sample answer; asking again asks the model. */
import { act } from '@testing-library/react';
import { expect, it } from 'vitest';

import { hookStage, send, wait } from './testing/mounted';
import { chunk, completed, started } from './testing/scriptedEvents';
import { QUESTION } from './testing/stage';

const { mounted, line, stage } = hookStage();
const SAMPLE = { ...QUESTION, sample: 'sky' };

it('sends the name of the sample over SSE', async () => {
  stage.ask({ request: SAMPLE });
  const { request } = await stage.server.sseLine();
  expect(request.body).toMatchObject({ sample: 'sky', prompt: QUESTION.prompt });
});

it('sends the name of the sample over a WebSocket', async () => {
  stage.ask({ transport: 'websocket', request: SAMPLE });
  const { socket } = await stage.server.socketLine();
  expect(socket.frames[0]).toMatchObject({ sample: 'sky', prompt: QUESTION.prompt });
});

it('knows the sample before and after the start', async () => {
  const { now } = mounted();
  act(() => void now().submit(SAMPLE));
  expect(now().sample).toBe('sky');
  await send(await line(), started({ sample: 'sky', model: 'sample' }), chunk(0, 'Written.'));
  await wait(100);
  expect(now()).toMatchObject({ sample: 'sky', model: 'sample' });
});

it('asks the model with regenerate', async () => {
  const { now } = mounted();
  act(() => void now().submit(SAMPLE));
  await send(await line(), started({ sample: 'sky' }), completed(0));
  act(() => void now().regenerate());
  expect(now().sample).toBeUndefined();
  expect((await line()).asked).not.toHaveProperty('sample', 'sky');
});
