/** What several pages speak of. Types alone. */

/** How a block changes the address that it stands under. */
export interface Address {
  /** The stream that the address names. */
  streamId: string | undefined;
  started(streamId: string): void;
  composing(slug: string): void;
}
