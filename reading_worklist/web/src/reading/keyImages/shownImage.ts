/** Which image the viewer shows, asked of the viewer itself: its page is of our own origin. */

export interface ShownImage {
  sop_instance_uid: string;
  frame_number: number;
  window_center: number | null;
  window_width: number | null;
}

interface Viewport {
  getCurrentImageId?: () => string | undefined;
  getProperties?: () => { voiRange?: { lower: number; upper: number } };
}

interface Described {
  samplesPerPixel?: number;
  modality?: string;
}

/** What we use of the viewer's page; all of it may be missing while it loads. */
interface ViewerWindow extends Window {
  services?: {
    viewportGridService?: { getActiveViewportId?: () => string | null };
    cornerstoneViewportService?: { getCornerstoneViewport?: (id: string) => Viewport | null | undefined };
  };
  cornerstone?: { metaData?: { get: (kind: string, imageId: string) => Described | undefined } };
}

const FRAME = /\/instances\/([0-9.]+)\/frames\/(\d+)/;

/** The frame that an image of the viewer is made of; null for one that did not come from our archive. */
export function frameOf(imageId: string): Pick<ShownImage, 'sop_instance_uid' | 'frame_number'> | null {
  const found = FRAME.exec(imageId);
  if (found?.[1] === undefined) return null;
  return { sop_instance_uid: found[1], frame_number: Number(found[2]) };
}

/** Centre and width of what is shown, in output units of the modality LUT (PS3.3 C.11.2.1.2). */
export function windowOf(range: { lower: number; upper: number } | undefined): [number, number] | null {
  if (range === undefined || !(range.upper > range.lower)) return null;
  // Of the linear function: the width counts both ends.
  return [(range.lower + range.upper + 1) / 2, range.upper - range.lower + 1];
}

/** The image in the active viewport of a viewer's page; null when there is none. */
export function imageIn(page: Window | null): ShownImage | null {
  try {
    return activeImage(page);
  } catch {
    // The viewer's services throw as long as nothing stands behind them: while it loads. The page
    // then says that no image is shown.
    return null;
  }
}

function activeImage(page: Window | null): ShownImage | null {
  const { services, cornerstone } = (page ?? {}) as ViewerWindow;
  const active = services?.viewportGridService?.getActiveViewportId?.();
  if (active === null || active === undefined) return null;
  const viewport = services?.cornerstoneViewportService?.getCornerstoneViewport?.(active);
  const imageId = viewport?.getCurrentImageId?.();
  const frame = imageId === undefined ? null : frameOf(imageId);
  if (viewport === null || viewport === undefined || imageId === undefined || frame === null) return null;
  // Colours have no window, and the viewer shows PET in units that are not those of the image.
  const grey = cornerstone?.metaData?.get('imagePixelModule', imageId)?.samplesPerPixel === 1;
  const modality = cornerstone?.metaData?.get('generalSeriesModule', imageId)?.modality;
  const shown = grey && modality !== 'PT' ? windowOf(viewport.getProperties?.().voiRange) : null;
  return { ...frame, window_center: shown?.[0] ?? null, window_width: shown?.[1] ?? null };
}

/** The viewer's frame on a page of ours, while there is one. */
export function viewerFrame(): Window | null {
  return document.querySelector<HTMLIFrameElement>('.viewer iframe')?.contentWindow ?? null;
}
