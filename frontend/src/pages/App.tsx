/** The frame around every page: shared data, the rail, and the page at the current address. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useLocation } from 'wouter';

import type { Config, StreamProblem } from '@liveai/client';
import { Announcer, CheckConnectionContext, type Connection, RefreshSiteContext, SiteContext } from '../blocks';
import { BlockScene } from './BlockScene';
import { Boundary } from './Boundary';
import { type Boot, signInUrl, signUpUrl } from './boot';
import { ConnectionWatch } from './connectionWatch';
import { History } from './History';
import { Home } from './Home';
import { NotFound } from './NotFound';
import { ApiContext, type PagesApi, watched } from './pagesApi';
import { Problem } from './Problem';
import { Rail } from './Rail';
import { RailFoot } from './RailFoot';
import { Scenes } from './scenes';
import { Arrival, ArrivalContext } from './usePage';
import { type SiteData, useSiteData } from './useSiteData';

export interface AppProps {
  api: PagesApi;
  boot: Boot;
}

export function App({ api, boot }: AppProps) {
  const [connection, check] = useConnection(api);
  const calls = useMemo(() => watched(api, check), [api, check]);
  const [site, again, refresh] = useSiteData(calls, connection);
  const data = site.is === 'ready' ? site.data : undefined;
  const shared = useMemo(
    () =>
      data && {
        ...data,
        connection,
        mustSignIn: boot.mustSignIn && data.config.user === null,
        signInUrl: () => signInUrl(boot, location.pathname),
        signUpUrl: () => signUpUrl(boot, location.pathname),
      },
    [data, connection, boot],
  );
  if (site.is === 'loading') return <main className="page-first" aria-busy="true" aria-label="Live AI Blocks" />;
  if (site.is === 'failed') return <Unloaded problem={site.problem} boot={boot} onAgain={again} />;
  return (
    <ApiContext value={calls}>
      <SiteContext value={shared ?? site.data}>
        <RefreshSiteContext value={refresh}>
          <CheckConnectionContext value={check}>
            <Announcer>
              <Frame site={site.data} connection={connection} boot={boot} />
            </Announcer>
          </CheckConnectionContext>
        </RefreshSiteContext>
      </SiteContext>
    </ApiContext>
  );
}

function useConnection(api: PagesApi): [Connection, check: () => void] {
  const [watch] = useState(() => new ConnectionWatch(() => api.isAlive()));
  useEffect(() => watch.listen(), [watch]);
  return [useSyncExternalStore(watch.subscribe, watch.getSnapshot), watch.check];
}

function Unloaded({ problem, boot, onAgain }: { problem: StreamProblem; boot: Boot; onAgain(): void }) {
  const isSignedOut = problem.code === 'not_authenticated';
  const url = isSignedOut ? signInUrl(boot, location.pathname) : undefined;
  return (
    <main className="page-first">
      <h1>Live AI Blocks</h1>
      {url === undefined ? (
        <Problem title="Couldn’t load the site." problem={problem} onAgain={onAgain} />
      ) : (
        <>
          <p>Sign in to ask.</p>
          <p className="page-ways">
            <a className="button button-strong" href={url}>
              Sign in
            </a>
          </p>
        </>
      )}
    </main>
  );
}

function Frame({ site, connection, boot }: { site: SiteData; connection: Connection; boot: Boot }) {
  const [path] = useLocation();
  const [scenes] = useState(() => new Scenes());
  const [current, setCurrent] = useState<string>();
  const scene = scenes.at(path);
  const page = String(scene?.key ?? path);
  const arrival = useArrival(page);
  return (
    <ArrivalContext value={arrival}>
      <a className="page-skip button button-main" href="#main">
        Skip to main content
      </a>
      <div className="page-frame">
        <Rail blocks={site.blocks} current={scene && current} />
        <main id="main" tabIndex={-1}>
          <p className="page-message" aria-live="polite">
            {noticeOf(site.config)}
          </p>
          <Boundary key={page}>
            {scene ? (
              <BlockScene scene={scene} scenes={scenes} onBlock={setCurrent} />
            ) : (
              <Page path={path} scenes={scenes} boot={boot} />
            )}
          </Boundary>
        </main>
        <RailFoot config={site.config} connection={connection} blocks={site.blocks} boot={boot} />
      </div>
    </ArrivalContext>
  );
}

function noticeOf({ streaming }: Config): string {
  const paused = 'New answers are paused for now. You can still read the ones you have.';
  return [streaming.paused === true && paused, streaming.message].filter(Boolean).join(' ');
}

/** A pattern for any other address would leave out line breaks. */
function Page({ path, scenes, boot }: { path: string; scenes: Scenes; boot: Boot }) {
  if (path === '/') return <Home scenes={scenes} boot={boot} />;
  return path === '/history' ? <History boot={boot} /> : <NotFound />;
}

/** @param page - identifies the page; a block keeps its name while its address changes. */
function useArrival(page: string): Arrival {
  const [arrival] = useState(() => new Arrival());
  const isBack = useRef(false);

  useEffect(() => {
    // On Back, the browser restores the scroll position itself.
    const goBack = () => {
      isBack.current = true;
    };
    window.addEventListener('popstate', goBack, true);
    return () => window.removeEventListener('popstate', goBack, true);
  }, []);
  // A layout effect runs before the pages' effects, which ask whether the reader navigated here.
  useLayoutEffect(() => {
    if (arrival.at(page) && !isBack.current) window.scrollTo(0, 0);
    isBack.current = false;
  }, [page, arrival]);
  return arrival;
}
