/** The script of the admin's page of a stream. Its place on the page says what it shows. */
import '../look/fonts.css';
import '../look/tokens.css';
import '../look/tools.css';
import './transcript.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { type OutputName, StreamClient } from '@liveai/client';
import { LiveAnswer } from './LiveAnswer';

const place = document.getElementById('stream-live');
const plain = document.getElementById('stream-plain');
if (place) {
  const { base = '', stream = '', output = 'markdown', prompt = '', ended } = place.dataset;
  // This address serves SSE alone, whatever the site's switches say.
  const client = new StreamClient({ baseUrl: base, transport: 'sse', fallback: false });
  createRoot(place).render(
    <StrictMode>
      <LiveAnswer
        client={client}
        streamId={stream}
        output={output as OutputName}
        prompt={prompt}
        hadEnded={ended === 'yes'}
        onShown={() => plain?.setAttribute('hidden', '')}
      />
    </StrictMode>,
  );
}
