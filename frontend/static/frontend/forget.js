// The answers that a reader gave to quizzes go with the quizzes; src/blocks/quiz/quizAnswers.ts names them.
try {
  for (const key of Object.keys(localStorage)) if (key.startsWith('liveai.quiz.')) localStorage.removeItem(key);
} catch {
  // The storage is blocked, so it holds nothing.
}
