/** The hooks: `@liveai/client/react`. */
export { defaultClient, useAIBlockStreaming, useAIStreaming } from './streamHooks';
