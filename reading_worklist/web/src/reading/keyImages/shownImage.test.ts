import { describe, expect, it } from 'vitest';

import { frameOf, imageIn, windowOf } from './shownImage';

const ID = 'wadors:http://x/dicom-web/sites/EAST/studies/1.2/series/1.3/instances/1.4.5/frames/7';

function page(imageId: string | undefined, samples = 1, modality = 'CT'): Window {
  return {
    services: {
      viewportGridService: { getActiveViewportId: () => 'default' },
      cornerstoneViewportService: {
        getCornerstoneViewport: (id: string) =>
          id === 'default'
            ? { getCurrentImageId: () => imageId, getProperties: () => ({ voiRange: { lower: -160, upper: 239 } }) }
            : null,
      },
    },
    cornerstone: {
      metaData: {
        get: (kind: string) => (kind === 'imagePixelModule' ? { samplesPerPixel: samples } : { modality }),
      },
    },
  } as unknown as Window;
}

describe('the image that the viewer shows', () => {
  it('is a frame of our archive, with its window', () => {
    expect(imageIn(page(ID))).toEqual({
      sop_instance_uid: '1.4.5',
      frame_number: 7,
      window_center: 40,
      window_width: 400,
    });
  });

  it('has no window where it has colours, or is shown in other units', () => {
    expect(imageIn(page(ID, 3))?.window_width).toBeNull();
    expect(imageIn(page(ID, 1, 'PT'))?.window_width).toBeNull();
  });

  it('is none while the viewer loads, and none of a volume or of elsewhere', () => {
    expect(imageIn(null)).toBeNull();
    expect(imageIn({} as Window)).toBeNull();
    expect(imageIn(page(undefined))).toBeNull();
    const loading = {
      services: {
        viewportGridService: {
          getActiveViewportId: () => {
            throw new TypeError('not a function');
          },
        },
      },
    };
    expect(imageIn(loading as unknown as Window)).toBeNull();
    expect(frameOf('volumeId:1234')).toBeNull();
    expect(windowOf({ lower: 5, upper: 5 })).toBeNull();
  });
});
