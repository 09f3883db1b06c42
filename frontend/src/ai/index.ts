/** The one door: the client, its hooks, and what they speak of. */
export { Api, ApiError } from './api';
export type {
  BlockInfo,
  Config,
  HistoryFilter,
  HistoryPage,
  OutputName,
  StreamResource,
  StreamSummary,
} from './api';
export { diagramData, jsonData, quizData } from './blockData';
export type { DiagramData, JsonData, QuizData, QuizQuestion } from './blockData';
export { diagramSource } from './diagramSource';
export type { DiagramEdge, DiagramNode } from './diagramSource';
export type * from './events';
export type { StreamMetrics } from './metrics';
export type { StreamState } from './state';
export { StreamClient } from './streamClient';
export { defaultClient, useAIBlockStreaming, useAIStreaming } from './streamHooks';
export type * from './types';
