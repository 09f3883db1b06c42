/** The model in use, the transport, and the user. */
import { useLocation } from 'wouter';

import type { BlockInfo, Config } from '../ai';
import { modelName } from '../blocks';
import { useAddress } from './address';
import { BetterModel } from './BetterModel';
import { type Boot, signInUrl } from './boot';
import { ThemeSwitch } from './ThemeSwitch';

export interface RailFootProps {
  config: Config;
  blocks: readonly BlockInfo[];
  boot: Boot;
}

export function RailFoot({ config, blocks, boot }: RailFootProps) {
  const { streaming } = config;
  const model = mainModelOf(blocks);
  return (
    <footer className="rail-foot">
      {streaming.message && <p className="rail-message">{streaming.message}</p>}
      <output className="rail-state" data-state={streaming.enabled ? 'live' : 'off'}>
        <i aria-hidden="true" />
        {transportWords(config)}
      </output>
      {model && (
        <div>
          {modelName(model)}
          {config.demo_model && ' · a small demo model: answers may be wrong. '}
          {config.demo_model && boot.isAdmin && <BetterModel />}
        </div>
      )}
      <div className="rail-last">
        <ThemeSwitch />
        <WhoIsHere boot={boot} />
      </div>
    </footer>
  );
}

function WhoIsHere({ boot }: { boot: Boot }) {
  const [path] = useLocation();
  const address = useAddress();
  const url = signInUrl(boot, address(path));
  if (boot.isAdmin) return <a href={address('/admin/')}>Admin</a>;
  if (boot.user) return <span>{boot.user}</span>;
  return url === undefined ? null : <a href={url}>Sign in</a>;
}

/** "Live over SSE". */
export function transportWords({ streaming }: Config): string {
  if (!streaming.enabled) return 'Streaming is off: answers come whole';
  return streaming.backend === 'websocket' ? 'Live over WebSocket' : 'Live over SSE';
}

/** The model that most blocks use; the first of them on a tie. */
function mainModelOf(blocks: readonly BlockInfo[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { model } of blocks) counts.set(model, (counts.get(model) ?? 0) + 1);
  return [...counts].toSorted((one, other) => other[1] - one[1])[0]?.[0];
}
