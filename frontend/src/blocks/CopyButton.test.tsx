import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { AnnounceContext } from './announce';
import { CopyButton } from './CopyButton';

afterEach(cleanup);

test('copies the text at the time of the press, and confirms it visibly and audibly', async () => {
  const user = userEvent.setup();
  const announce = vi.fn();
  let text = 'old';
  render(
    <AnnounceContext value={announce}>
      <CopyButton text={() => text}>Copy source</CopyButton>
    </AnnounceContext>,
  );
  text = 'new';
  await user.click(screen.getByRole('button', { name: 'Copy source' }));
  expect(await navigator.clipboard.readText()).toBe('new');
  expect(screen.getByRole('button', { name: 'Copied' })).toBeTruthy();
  expect(announce).toHaveBeenCalledExactlyOnceWith('Copied');
});

test('a browser that refuses is not reported as a success, and keeps the focus', async () => {
  const user = userEvent.setup();
  vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new Error('no'));
  render(<CopyButton text="x" />);
  await user.click(screen.getByRole('button', { name: 'Copy' }));
  const button = await screen.findByRole('button', { name: 'Copy failed' });
  expect(document.activeElement).toBe(button);
  expect(document.querySelector('textarea')).toBeNull();
});
