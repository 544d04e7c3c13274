/**
 * So many times as long as its work took a throttled function rests before the next. A page thus keeps a server
 * busy for no more than a twentieth of the time: when hundreds of pages make it slow, each of them asks less often.
 */
const REST = 20;

export interface Throttled {
  /** Has the work done soon; `patience`: after so many milliseconds is soon enough. */
  run: (patience?: number) => void;
  cancel: () => void;
}

/**
 * Returns a function that runs `work` after `delay` milliseconds and then at most once per `interval`, never twice at
 * a time, with one last run for calls that came in between. A burst of events thus costs one request.
 */
export function throttled(work: () => unknown, delay: number, interval: number): Throttled {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let due = Infinity;
  let restsUntil = -Infinity;
  let working = false;
  let askedMeanwhile = false;

  const runBy = (wanted: number): void => {
    if (working) {
      askedMeanwhile = true;
      return;
    }
    const time = Math.max(wanted, restsUntil);
    if (timer !== null && due <= time) return;
    if (timer !== null) clearTimeout(timer);
    due = time;
    timer = setTimeout(fire, Math.max(0, time - Date.now()));
  };
  const fire = (): void => {
    timer = null;
    working = true;
    const began = Date.now();
    const done = (): void => {
      const now = Date.now();
      working = false;
      restsUntil = Math.max(began + interval, now + REST * (now - began));
      if (askedMeanwhile) runBy(now);
      askedMeanwhile = false;
    };
    // Who wants to know how it ended asks the work itself.
    void Promise.resolve(work()).then(done, done);
  };
  return {
    run: (patience = 0) => {
      runBy(Date.now() + Math.max(delay, patience));
    },
    cancel: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      askedMeanwhile = false;
    },
  };
}
