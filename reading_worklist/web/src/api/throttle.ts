/**
 * Returns a function that runs `work` soon after its first call and then at most once per `interval`
 * milliseconds, with one last run for calls that came in between. A burst of events thus costs one request.
 */
export function throttled(work: () => void, delay: number, interval: number): { run: () => void; cancel: () => void } {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let lastRun = -Infinity;
  const fire = (): void => {
    timer = null;
    lastRun = Date.now();
    work();
  };
  return {
    run: () => {
      timer ??= setTimeout(fire, Math.max(delay, lastRun + interval - Date.now()));
    },
    cancel: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
