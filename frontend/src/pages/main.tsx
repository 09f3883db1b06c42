import '../look/fonts.css';
import '../look/tokens.css';
import '../look/base.css';
import '../look/rail.css';
import '../look/better.css';
import '../look/pages.css';
import '../look/history.css';
import '../look/forced.css';
import '../look/print.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Router } from 'wouter';

import { Api, sitePath } from '@liveai/client';
import { pathWithin } from './address';
import { App } from './App';
import { readBoot } from './boot';
import { applyTheme, readTheme } from './theme';

applyTheme(readTheme());

const base = sitePath();
const path = pathWithin(base, location.pathname);
const root = document.getElementById('app');
if (path !== location.pathname) {
  // A new address alone would not do: this document has no cookies of that path.
  location.replace(path + location.search + location.hash);
} else if (root) {
  createRoot(root).render(
    <StrictMode>
      <Router base={base}>
        <App api={new Api()} boot={readBoot()} />
      </Router>
    </StrictMode>,
  );
}
