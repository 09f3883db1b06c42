/** Which client an element asks with. The server is scripted, and the client is the element's own. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { completed, started } from '../ai/testing/scriptedEvents';
import { settle } from '../ai/testing/scriptedLines';
import { setStage } from '../ai/testing/stage';
import { OwnClient, sharedClient } from './clients';
import { defineAIBlock } from './index';

const stage = setStage();
beforeEach(() => defineAIBlock());
afterEach(() => document.body.replaceChildren());

it('elements of one server share a socket and a request for the configuration', async () => {
  const { server } = stage;
  server.streaming.backend = 'websocket';
  vi.stubGlobal('fetch', server.environment.fetch);
  vi.stubGlobal('WebSocket', server.environment.WebSocket);
  for (const prompt of ['One?', 'Two?']) {
    const block = document.createElement('ai-block');
    Object.assign(block, { kind: 'ask-question', prompt, baseUrl: 'https://shared.test' });
    document.body.append(block);
  }
  await settle();
  for (const id of ['a', 'b']) {
    const line = await server.socketLine();
    await line.send(started({ stream_id: id.repeat(22) }), completed(0));
  }
  expect([server.sockets, server.calls('GET /api/config')]).toMatchObject([[{}], [{}]]);
});

it('the shared client of a server is one, and that of another server another', () => {
  expect(sharedClient('https://one.test')).toBe(sharedClient('https://one.test'));
  expect(sharedClient('https://one.test')).not.toBe(sharedClient('https://two.test'));
  expect(sharedClient('')).toBe(sharedClient(''));
});

it('an element with a token has one client, until its server or its access changes', () => {
  const own = new OwnClient();
  const current = () => 'secret';
  const access = { baseUrl: 'https://one.test', token: 'secret', getToken: undefined };
  const first = own.for(access, current);
  expect(own.for({ ...access }, current)).toBe(first);
  expect(first).not.toBe(sharedClient('https://one.test'));
  const changes = [{ token: 'other' }, { getToken: current }, { baseUrl: 'https://two.test' }];
  const clients = changes.map((change) => own.for({ ...access, ...change }, current));
  expect(new Set([first, ...clients]).size).toBe(4);
});
