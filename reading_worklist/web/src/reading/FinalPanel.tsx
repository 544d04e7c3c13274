import { Tabs } from 'antd';

import { keys } from '../api/keys';
import type { WorkitemDetail } from '../api/types';
import { PdfFrame } from '../design/PdfFrame';
import { useLanguage } from '../i18n/language';
import { useTimeline } from './queries';
import { TimelineView } from './TimelineView';
import { VersionList } from './VersionList';

/** A signed report: the document, how it came about and reached the site, and its versions with their signatures. */
export function FinalPanel({ item }: { item: WorkitemDetail }) {
  const { t } = useLanguage();
  const version = item.versions.at(-1);
  if (version === undefined) return null;
  return (
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
        { key: 'history', label: t('final.history'), children: <History id={item.id} /> },
        { key: 'versions', label: t('final.versions'), children: <VersionList versions={item.versions} /> },
      ]}
    />
  );
}

function History({ id }: { id: string }) {
  const timeline = useTimeline(id);
  return (
    <div className="report-scroll">
      <TimelineView timeline={timeline} />
    </div>
  );
}
