import '../look/fonts.css';
import '../look/tokens.css';
import '../look/base.css';
import '../look/rail.css';
import '../look/better.css';
import '../look/pages.css';
import '../look/history.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Router } from 'wouter';

import { Api, sitePath } from '../ai';
import { pathWithin } from './address';
import { App } from './App';
import { readBoot } from './boot';
import { applyTheme, readTheme } from './theme';

applyTheme(readTheme());

const base = sitePath();
const path = pathWithin(base, location.pathname);
if (path !== location.pathname) history.replaceState(history.state, '', path + location.search + location.hash);

const root = document.getElementById('app');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Router base={base}>
        <App api={new Api()} boot={readBoot()} />
      </Router>
    </StrictMode>,
  );
}
