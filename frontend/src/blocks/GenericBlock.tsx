/** A block that an admin added. Its answer is markdown or named fields. */
import { jsonData } from '@liveai/client';
import { useAIBlockStreaming } from '@liveai/client/react';
import { toCopy, toDownload } from './answerForms';
import { BlockShell } from './BlockShell';
import { counted } from './counted';
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
  const json = JSON.stringify(value, null, 2);
  return (
    <BlockShell
      {...props}
      stream={stream}
      copies={[toCopy('Copy JSON', json)]}
      downloads={[toDownload('Download JSON', stream.prompt ?? '', 'json', json)]}
      endWords={`Answer complete, ${counted(Object.keys(value).length, 'field')}`}
    >
      <JsonView value={value} arriving={stream.isLoading ? stream.data.arriving : NOTHING} />
    </BlockShell>
  );
}

const NOTHING = {};
