/** Addresses outside the router's reach: of the admin panel, and whole links. */
import { useRouter } from 'wouter';

/** Returns a function from a path of the site to the path on its host. */
export function useAddress(): (path: string) => string {
  const { base } = useRouter();
  return (path) => base + path;
}

/**
 * Returns the path at which the pages start. Without the proxy that adds the site's path, the
 * server answers at the root of its port too.
 */
export function pathWithin(base: string, path: string): string {
  return path === base || path.startsWith(`${base}/`) ? path : base + path;
}
