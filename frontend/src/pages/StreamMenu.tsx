import { useLocation } from 'wouter';

import { CopyButton, forgetAnswers, useAnnounce } from '../blocks';
import { useAddress } from './address';
import { DeleteInPlace } from './DeleteInPlace';
import { streamPath } from './scenes';

/**
 * The actions for a stream as a whole: copy its link, delete it.
 *
 * @param props.streamId - undefined if the block has not asked yet; then there are no actions.
 */
export function StreamMenu({ streamId }: { streamId: string | undefined }) {
  return streamId === undefined ? null : <Menu key={streamId} streamId={streamId} />;
}

function Menu({ streamId }: { streamId: string }) {
  const [, navigate] = useLocation();
  const address = useAddress();
  const announce = useAnnounce();
  return (
    <fieldset className="page-menu" aria-label="This answer">
      <CopyButton className="button button-plain" text={location.origin + address(streamPath(streamId))}>
        Copy link
      </CopyButton>
      <DeleteInPlace
        className="button button-plain"
        streamId={streamId}
        name="this answer"
        onGone={() => {
          forgetAnswers(streamId);
          announce('Deleted');
          navigate('/history', { replace: true });
        }}
      >
        Delete
      </DeleteInPlace>
    </fieldset>
  );
}
