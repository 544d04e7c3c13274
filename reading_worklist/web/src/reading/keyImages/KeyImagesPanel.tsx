import { DeleteOutlined, LeftOutlined, PushpinOutlined, RightOutlined } from '@ant-design/icons';
import { Button, Skeleton, Tooltip } from 'antd';
import type { ReactNode } from 'react';

import type { KeyImage } from '../../api/types';
import { Empty, ProblemNotice } from '../../design/Notice';
import { useLanguage } from '../../i18n/language';
import type { PanelProps } from '../panel';
import { MeasurementList } from './MeasurementList';
import { imageText } from './phrase';
import { pictureOf } from './picture';
import { useKeyImages } from './queries';
import { mayChoose, useChoosing } from './useMark';
import './keyImages.css';

/** The images that are printed in the report, in their order, and what was measured in the viewer. */
export function KeyImagesPanel({ item }: PanelProps) {
  const { t } = useLanguage();
  const images = useKeyImages(item.id);
  const { change, mark, isPending } = useChoosing(item);
  const writes = mayChoose(item);
  if (images.isError && images.data === undefined)
    return <ProblemNotice error={images.error} onRetry={() => void images.refetch()} />;
  if (images.data === undefined) return <Skeleton active paragraph={{ rows: 5 }} />;
  const list = images.data;
  const moved = (at: number, by: number): void => {
    const ids = list.map((one) => one.id);
    ids.splice(at + by, 0, ...ids.splice(at, 1));
    void change({ do: 'order', ids });
  };
  return (
    <>
      {images.isError && <ProblemNotice error={images.error} onRetry={() => void images.refetch()} />}
      {writes && (
        <Button block icon={<PushpinOutlined />} loading={isPending} onClick={() => void mark()}>
          {t('keyImages.mark')}
        </Button>
      )}
      {list.length === 0 ? (
        <Empty title={t('keyImages.none')} {...(writes ? { text: t('keyImages.noneText') } : {})} />
      ) : (
        <ol className="key-images" aria-label={t('keyImages.list')}>
          {list.map((image, at) => (
            <Picture key={image.id} image={image}>
              {writes && (
                <span className="key-image-do">
                  <Do
                    name={t('keyImages.earlier')}
                    icon={<LeftOutlined />}
                    disabled={at === 0}
                    onDo={() => moved(at, -1)}
                  />
                  <Do
                    name={t('keyImages.later')}
                    icon={<RightOutlined />}
                    disabled={at === list.length - 1}
                    onDo={() => moved(at, 1)}
                  />
                  <Do
                    name={t('keyImages.remove')}
                    icon={<DeleteOutlined />}
                    onDo={() => void change({ do: 'remove', id: image.id })}
                  />
                </span>
              )}
            </Picture>
          ))}
        </ol>
      )}
      <MeasurementList id={item.id} />
    </>
  );
}

function Picture({ image, children }: { image: KeyImage; children: ReactNode }) {
  const { language } = useLanguage();
  const place = imageText(language, image);
  return (
    <li className="key-image">
      <img src={pictureOf(image.picture_url)} alt={place} width={240} height={240} loading="lazy" />
      <span className="key-image-place">{place}</span>
      {children}
    </li>
  );
}

function Do({
  name,
  icon,
  disabled = false,
  onDo,
}: {
  name: string;
  icon: ReactNode;
  disabled?: boolean;
  onDo: () => void;
}) {
  return (
    <Tooltip title={name}>
      <Button type="text" size="small" icon={icon} aria-label={name} disabled={disabled} onClick={onDo} />
    </Tooltip>
  );
}
