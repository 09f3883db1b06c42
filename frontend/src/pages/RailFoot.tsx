/** The transport, the model in use, the user, and the theme. */
import type { BlockInfo, Config } from '@liveai/client';
import { type Connection, modelName } from '../blocks';
import { BetterModel } from './BetterModel';
import type { Boot } from './boot';
import { ThemeSwitch } from './ThemeSwitch';
import { WhoIsHere } from './WhoIsHere';

export interface RailFootProps {
  config: Config;
  connection: Connection;
  blocks: readonly BlockInfo[];
  boot: Boot;
}

export function RailFoot({ config, connection, blocks, boot }: RailFootProps) {
  const model = mainModelOf(blocks);
  return (
    <footer className="rail-foot">
      <output className="rail-state" data-state={stateOf(config, connection)}>
        <i aria-hidden="true" />
        {connectionWords(config, connection)}
      </output>
      {model && (
        <div>
          {modelName(model)}
          {config.demo_model && ' · a small demo model: answers may be wrong. '}
          {config.demo_model && boot.isAdmin && <BetterModel />}
        </div>
      )}
      <WhoIsHere config={config} boot={boot} />
      <ThemeSwitch />
    </footer>
  );
}

function stateOf({ streaming }: Config, connection: Connection): 'live' | 'off' | 'lost' {
  if (connection !== 'up') return 'lost';
  return streaming.enabled ? 'live' : 'off';
}

/** "Live over SSE". */
function connectionWords({ streaming }: Config, connection: Connection): string {
  if (connection === 'offline') return 'You’re offline';
  if (connection === 'down') return 'The server can’t be reached';
  if (!streaming.enabled) return 'Streaming is off: answers appear when finished';
  return streaming.backend === 'websocket' ? 'Live over WebSocket' : 'Live over SSE';
}

/** The model that most blocks use; the first of them on a tie. */
function mainModelOf(blocks: readonly BlockInfo[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { model } of blocks) counts.set(model, (counts.get(model) ?? 0) + 1);
  return [...counts].toSorted((one, other) => other[1] - one[1])[0]?.[0];
}
