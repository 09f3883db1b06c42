/** Types that several pages share. */

/** Lets a block change the address of its page. */
export interface Address {
  started(streamId: string): void;
  composing(slug: string): void;
}
