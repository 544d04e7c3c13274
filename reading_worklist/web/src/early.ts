/**
 * What every page asks for first, asked for before the page's own files are here: the session, and the exam that the
 * address names. This file is an entry of its own, a few hundred bytes that run while the others are on their way.
 */
const exam = /^\/exams\/([0-9a-f-]{36})$/.exec(location.pathname)?.[1];
const language = localStorage.getItem('rdc.language') === 'en' ? 'en' : 'zh-CN';
const asked = ['/api/session', ...(exam === undefined ? [] : [`/api/workitems/${exam}/opening?language=${language}`])];
const began = Date.now();

/** Answers under way, by their address; each is taken once, by whoever would have asked for it. */
window.rdcEarly = {
  began,
  answers: new Map(
    asked.map((path) => {
      const answer = fetch(path, { headers: { 'Accept-Language': language } });
      // Whoever takes it learns that it failed; where nobody does, nobody has to.
      answer.catch(() => undefined);
      return [path, answer];
    }),
  ),
};
