/** The entry of Django's tag `{% ai_block %}`: mounts a block at each of its places on the page. */
import './embed.css';
import '../look/tokens.css?embedded';
import '../look/fonts.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { Api, sitePath } from '@liveai/client';
import { Embedded } from './Embedded';
import { readPlace } from './place';

const places = [...document.querySelectorAll<HTMLElement>('[data-ai-block]')];
const base = places[0]?.dataset['base'] ?? '';
if (base !== '' && sitePath() === '') {
  // Where the client of all blocks looks for it.
  const meta = document.createElement('meta');
  meta.name = 'site-path';
  meta.content = base;
  document.head.append(meta);
}
const api = new Api();
for (const place of places) {
  createRoot(place).render(
    <StrictMode>
      <Embedded api={api} {...readPlace(place.dataset)} />
    </StrictMode>,
  );
}
