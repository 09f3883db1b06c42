/** A block that an admin added. Its answer is markdown or named fields. */
import { jsonData, useAIBlockStreaming } from '../ai';
import { BlockShell } from './BlockShell';
import { JsonView } from './JsonView';
import { useShownStream } from './shownStream';
import { TextBlock } from './TextBlock';
import type { BlockProps } from './types';

export function GenericBlock(props: BlockProps) {
  return props.block.output === 'markdown' ? <TextBlock {...props} /> : <JsonBlock {...props} />;
}

function JsonBlock(props: BlockProps) {
  const stream = useShownStream(useAIBlockStreaming(props.block.slug), props.stream, jsonData);
  const value = stream.result ?? stream.data.value;
  const count = Object.keys(value).length;
  return (
    <BlockShell
      {...props}
      stream={stream}
      copyText={JSON.stringify(value, null, 2)}
      copyLabel="Copy JSON"
      endWords={`Answer complete, ${count} ${count === 1 ? 'field' : 'fields'}`}
    >
      <JsonView value={value} arriving={stream.isLoading ? stream.data.arriving : NOTHING} />
    </BlockShell>
  );
}

const NOTHING = {};
