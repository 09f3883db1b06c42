// Renders the hooks on a server, where nothing of a browser may be touched.
import { StreamClient } from '@liveai/client';
import { defineAIBlock } from '@liveai/client/element';
import { useAIBlockStreaming, useAIStreaming } from '@liveai/client/react';
import { createElement, Suspense, version } from 'react';
import { renderToString } from 'react-dom/server';

const touched = [];
for (const name of ['fetch', 'WebSocket', 'BroadcastChannel', 'sessionStorage', 'localStorage', 'document', 'window', 'location']) {
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get: () => {
      touched.push(name);
      return undefined;
    },
  });
}

defineAIBlock();
const client = new StreamClient({ baseUrl: 'https://ai.example.com', token: 'secret' });
touched.length = 0; // a client may look where it is; a component that is rendered may not

function Answer() {
  const own = useAIBlockStreaming('quiz', { client });
  const any = useAIStreaming({ id: 'any', resume: true });
  return createElement('p', null, `${own.status} ${any.status} ${own.data.questions.length}`);
}
const html = renderToString(createElement(Suspense, { fallback: 'Wait' }, createElement(Answer)));
console.log(JSON.stringify({ version, html, touched }));
