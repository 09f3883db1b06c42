/** A block on a page of another site: it loads what it needs of the server, then asks or composes. */
import { useEffect, useState } from 'react';
import { Api, ApiError, type BlockInfo, type Config, type StreamInput } from '@liveai/client';
import { Announcer, BlockFor, SiteContext } from '../blocks';

export interface EmbeddedProps {
  api: Pick<Api, 'config' | 'blocks'>;
  /** The slug of a block type. */
  slug: string;
  /** Asked at once; undefined: the reader writes the prompt. */
  ask?: StreamInput;
  /** The composer's initial text, if nothing is asked at once. */
  prompt?: string;
}

export function Embedded({ api, slug, ask, prompt }: EmbeddedProps) {
  const [site, setSite] = useState<{ config: Config; blocks: BlockInfo[] }>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let isHere = true;
    const load = async () => {
      const config = await api.config(); // first: it sets the cookies of the other calls
      const blocks = await api.blocks();
      if (isHere) setSite({ config, blocks });
    };
    load().catch((reason: unknown) => {
      if (isHere) setProblem(reason instanceof ApiError ? reason.message : 'The server can’t be reached.');
    });
    return () => {
      isHere = false;
    };
  }, [api]);
  if (problem !== '') return <p role="alert">{problem}</p>;
  if (site === undefined) return <p aria-busy="true">Loading …</p>;
  const block = site.blocks.find((each) => each.slug === slug);
  if (block === undefined) return <p role="alert">This block doesn’t exist.</p>;
  return (
    <SiteContext value={site}>
      <Announcer>
        <BlockFor block={block} initialAsk={ask} initialPrompt={prompt} isDemoModel={site.config.demo_model} />
      </Announcer>
    </SiteContext>
  );
}
