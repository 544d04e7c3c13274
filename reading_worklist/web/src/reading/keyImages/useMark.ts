import { App } from 'antd';

import { asProblem } from '../../api/problem';
import type { WorkitemDetail } from '../../api/types';
import { useLanguage } from '../../i18n/language';
import { wordsOf } from '../../i18n/problemWords';
import { shownImage } from './imageLink';
import { type KeyImageChange, useKeyImageChange } from './queries';

/** Whether this person chooses images for the report now: as long as he writes it. */
export const mayChoose = (item: WorkitemDetail): boolean => item.actions.includes('save_draft');

/** Changing the key images: what is refused is said where it was asked for. */
export function useChoosing(item: WorkitemDetail) {
  const { t, language } = useLanguage();
  const { message, notification } = App.useApp();
  const { mutateAsync, isPending } = useKeyImageChange(item.id);

  const change = async (wanted: KeyImageChange): Promise<boolean> => {
    try {
      await mutateAsync(wanted);
      return true;
    } catch (error) {
      const words = wordsOf(language, asProblem(error));
      notification.error({
        title: t('keyImages.refused'),
        description: [words.title, words.remedy].filter((part) => part !== null).join(' '),
        placement: 'bottomRight',
      });
      return false;
    }
  };
  const mark = async (): Promise<void> => {
    const image = await shownImage();
    if (image === null) void message.info(t('keyImages.noImage'));
    else if (await change({ do: 'add', image })) void message.success(t('keyImages.added'));
  };
  return { change, mark, isPending };
}
