import { StreamClient } from '@liveai/client';
import { useAIBlockStreaming } from '@liveai/client/react';

const client = new StreamClient({
  baseUrl: 'https://ai.example.com',
  getToken: async () => (await fetch('/my-token')).text(),
});
export const useAnswers = () => useAIBlockStreaming('ask-question', { client });
