// An app of another site, without JSX so that Vite needs no plugin.
import { StreamClient } from '@liveai/client';
import { useAIBlockStreaming } from '@liveai/client/react';
import { createElement as h, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

const query = new URLSearchParams(location.search);
const client = new StreamClient({ baseUrl: query.get('server'), getToken: async () => query.get('token') });

function Ask() {
  const { data, error, status, streamId, submit } = useAIBlockStreaming('ask-question', { client });
  return h(
    'main',
    { 'data-status': status, 'data-stream': streamId, 'data-code': error?.code },
    h('button', { onClick: () => void submit(query.get('prompt')) }, 'Ask'),
    h('p', null, data),
  );
}
createRoot(document.getElementById('root')).render(h(StrictMode, null, h(Ask)));
