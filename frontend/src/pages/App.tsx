/** The frame around every page: shared data, the rail, and the page at the current address. */
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { Route, Switch, useLocation } from 'wouter';

import { Announcer, RefreshSiteContext, SiteContext } from '../blocks';
import { BlockScene } from './BlockScene';
import { Boundary } from './Boundary';
import type { Boot } from './boot';
import { History } from './History';
import { Home } from './Home';
import { NotFound } from './NotFound';
import { ApiContext, type PagesApi } from './pagesApi';
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
  const [site, again, refresh] = useSiteData(api);
  if (site.is === 'loading') return <main className="page-first" aria-busy="true" aria-label="Live AI Blocks" />;
  if (site.is === 'failed') {
    return (
      <main className="page-first">
        <h1>Live AI Blocks</h1>
        <Problem title="Couldn’t load the site." problem={site.problem} onAgain={again}>
          {site.problem.code === 'not_authenticated' && boot.loginUrl && (
            <a className="button" href={boot.loginUrl}>
              Sign in
            </a>
          )}
        </Problem>
      </main>
    );
  }
  return (
    <ApiContext value={api}>
      <SiteContext value={site.data}>
        <RefreshSiteContext value={refresh}>
          <Announcer>
            <Frame site={site.data} boot={boot} />
          </Announcer>
        </RefreshSiteContext>
      </SiteContext>
    </ApiContext>
  );
}

function Frame({ site, boot }: { site: SiteData; boot: Boot }) {
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
          <Boundary key={page}>
            {scene ? (
              <BlockScene scene={scene} scenes={scenes} onBlock={setCurrent} />
            ) : (
              <Switch>
                <Route path="/">
                  <Home scenes={scenes} boot={boot} />
                </Route>
                <Route path="/history">
                  <History boot={boot} />
                </Route>
                <Route>
                  <NotFound />
                </Route>
              </Switch>
            )}
          </Boundary>
        </main>
        <RailFoot config={site.config} blocks={site.blocks} boot={boot} />
      </div>
    </ArrivalContext>
  );
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
