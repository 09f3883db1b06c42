import { cleanup, render, screen } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, expect, it, vi } from 'vitest';

import { Boundary } from './Boundary';

afterEach(cleanup);

function Broken(): never {
  throw new Error('a chunk is gone');
}

it('says so if a page breaks, and recovers on another page', () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const page = (key: string, child: ReactNode) => <Boundary key={key}>{child}</Boundary>;
  const { rerender } = render(page('/a', <Broken />));
  expect(screen.getByRole('alert').textContent).toContain('Something went wrong');
  expect(screen.getByRole('button', { name: 'Reload' })).toBeTruthy();
  rerender(page('/b', <p>fine</p>));
  expect(screen.getByText('fine')).toBeTruthy();
});
