/** What the pages add to a block's tools: the link to its answer, and the menu of the answer. */
import type { BlockProps } from '../blocks';
import { useAddress } from './address';
import { streamPath } from './scenes';
import { StreamMenu } from './StreamMenu';

export function useAnswerActions(): Required<Pick<BlockProps, 'link' | 'menu'>> {
  const address = useAddress();
  return {
    link: (streamId) => location.origin + address(streamPath(streamId)),
    menu: (answer) => <StreamMenu key={answer.streamIds.at(-1)} {...answer} />,
  };
}
