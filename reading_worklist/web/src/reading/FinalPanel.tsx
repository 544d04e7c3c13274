import { Tabs } from 'antd';

import { keys } from '../api/keys';
import type { WorkitemDetail } from '../api/types';
import { PdfFrame } from '../design/PdfFrame';
import { useLanguage } from '../i18n/language';
import type { Act } from './act';
import { IssuedActions } from './IssuedActions';
import { RevocationBanner } from './RevocationBanner';
import { VersionComparison } from './VersionComparison';
import { VersionList } from './VersionList';

/** An issued report: the document, its versions with their signatures, what differs between them, and what may be done. */
export function FinalPanel({ item, busy, act }: { item: WorkitemDetail; busy: boolean; act: Act }) {
  const { t } = useLanguage();
  const version = item.versions.find((each) => each.recall === null) ?? item.versions.at(-1);
  if (version === undefined) return null;
  return (
    <>
      <RevocationBanner item={item} busy={busy} act={act} />
      <Tabs
        className="final"
        items={[
          {
            key: 'document',
            label: t('final.document'),
            children: (
              <PdfFrame
                title={t('final.pdfTitle')}
                address={`/api/reports/${version.id}/pdf`}
                queryKey={keys.report(version.id)}
              />
            ),
          },
          { key: 'versions', label: t('final.versions'), children: <VersionList versions={item.versions} /> },
          { key: 'compare', label: t('compare.title'), children: <VersionComparison item={item} /> },
        ]}
      />
      <IssuedActions item={item} busy={busy} act={act} />
    </>
  );
}
