/** One line on the first page: a click replays an answer that was written by hand. */
import { Fragment } from 'react';
import { useLocation } from 'wouter';

import type { BlockInfo } from '@liveai/client';
import { blockPath, type Scenes } from './scenes';
import '../look/samples.css';

export interface SamplesProps {
  scenes: Scenes;
  blocks: readonly BlockInfo[];
}

export function Samples({ scenes, blocks }: SamplesProps) {
  const [, navigate] = useLocation();
  const samples = [...blocks]
    .toSorted((one, other) => isText(one) - isText(other))
    .flatMap(({ slug, samples: own }) => own.map((sample) => ({ slug, sample })));
  if (samples.length === 0) return null;
  return (
    <p className="samples">
      {'See a sample: '}
      {samples.map(({ slug, sample: { name, label, prompt } }, index) => (
        <Fragment key={`${slug} ${name}`}>
          {index > 0 && <span aria-hidden="true"> · </span>}
          <button
            type="button"
            className="button-link"
            onClick={() => {
              scenes.handOver(slug, { prompt, sample: name });
              navigate(blockPath(slug));
            }}
          >
            {label}
          </button>
        </Fragment>
      ))}
    </p>
  );
}

/** Text comes last: a quiz and a drawing show more of what the pages can do. */
function isText({ output }: BlockInfo): number {
  return output === 'markdown' ? 1 : 0;
}
