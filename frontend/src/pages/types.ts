/** Types that several pages share. */

/** Lets a block change the address of its page. */
export interface Address {
  /** The stream that the address names. */
  streamId: string | undefined;
  started(streamId: string): void;
  composing(slug: string): void;
}
