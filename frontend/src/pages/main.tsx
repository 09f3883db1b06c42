import '../look/fonts.css';
import '../look/tokens.css';
import '../look/base.css';
import '../look/rail.css';
import '../look/better.css';
import '../look/pages.css';
import '../look/history.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { Api } from '../ai';
import { App } from './App';
import { readBoot } from './boot';
import { applyTheme, readTheme } from './theme';

applyTheme(readTheme());

const root = document.getElementById('app');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App api={new Api()} boot={readBoot()} />
    </StrictMode>,
  );
}
