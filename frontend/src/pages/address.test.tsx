import { renderHook } from '@testing-library/react';
import type { ReactNode } from 'react';
import { describe, expect, it } from 'vitest';
import { Router } from 'wouter';

import { pathWithin, useAddress } from './address';

describe('an address outside of the router', () => {
  it.each([
    ['', '/admin/'],
    ['/ai', '/ai/admin/'],
  ])('begins with the path of the site, %j', (base, address) => {
    const wrapper = ({ children }: { children: ReactNode }) => <Router base={base}>{children}</Router>;
    const { result } = renderHook(useAddress, { wrapper });
    expect(result.current('/admin/')).toBe(address);
  });
});

describe('the path at which the pages start', () => {
  it.each([
    ['', '/history', '/history'],
    ['/ai', '/ai/history', '/ai/history'],
    ['/ai', '/ai', '/ai'],
    ['/ai', '/', '/ai/'],
    ['/ai', '/history', '/ai/history'],
    ['/ai', '/air', '/ai/air'],
  ])('with %j, %j is %j', (base, path, whole) => {
    expect(pathWithin(base, path)).toBe(whole);
  });
});
