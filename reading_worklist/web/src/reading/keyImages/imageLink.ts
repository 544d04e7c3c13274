import { useEffect } from 'react';

import { tabToken } from '../viewerLink';
import { imageIn, type ShownImage, viewerFrame } from './shownImage';

/** Between a page and its viewer in a window of its own: what is shown there, and a key pressed there. */
type Message =
  { says: 'which'; ask: string } | { says: 'this'; ask: string; image: ShownImage | null } | { says: 'mark' };

const ANSWERS_WITHIN = 700;

const channelOf = (token: string): BroadcastChannel => new BroadcastChannel(`rdc.images.${token}`);

/** The image shown on this page, or else in its viewer's own window; null when neither shows one. */
export async function shownImage(): Promise<ShownImage | null> {
  const frame = viewerFrame();
  if (frame !== null) return imageIn(frame);
  const channel = channelOf(tabToken());
  const ask = crypto.randomUUID();
  const answer = await new Promise<ShownImage | null>((resolve) => {
    channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
      if (data.says === 'this' && data.ask === ask) resolve(data.image);
    });
    channel.postMessage({ says: 'which', ask } satisfies Message);
    setTimeout(() => resolve(null), ANSWERS_WITHIN);
  });
  channel.close();
  return answer;
}

/** In the viewer's own window: answers which image is shown. */
export function useImageAnswers(token: string): void {
  useEffect(() => {
    const channel = channelOf(token);
    channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
      if (data.says !== 'which') return;
      channel.postMessage({ says: 'this', ask: data.ask, image: imageIn(viewerFrame()) } satisfies Message);
    });
    return () => channel.close();
  }, [token]);
}

/** Whether a key says that the image shown is a key image: Alt+S. */
const marks = (event: KeyboardEvent): boolean =>
  event.altKey && !event.ctrlKey && !event.metaKey && event.code === 'KeyS';

/** In the viewer's own window: the key works there as on the page. Returns the listener to put on the viewer. */
export function markOnKey(token: string): (event: KeyboardEvent) => void {
  return (event) => {
    if (!marks(event)) return;
    event.preventDefault();
    const channel = channelOf(token);
    channel.postMessage({ says: 'mark' } satisfies Message);
    channel.close();
  };
}

/** On the page: hears that the key was pressed in the viewer's own window. */
export function useMarkCalls(onMark: () => void): void {
  useEffect(() => {
    const channel = channelOf(tabToken());
    channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
      if (data.says === 'mark') onMark();
    });
    return () => channel.close();
  }, [onMark]);
}
