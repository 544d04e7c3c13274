/* Configuration of the viewer, read by its page before anything else. */
(function () {
  'use strict';

  const page = new URLSearchParams(window.location.search);

  // The studies of one reading, which may be of several sites: its own and the priors opened at it.
  const reading = page.get('reading');
  const isReading = reading !== null && /^[0-9a-f-]{36}$/.test(reading);
  // One site's study, where several sites have sent one with the same UID.
  const site = page.get('site');
  const isSite = site !== null && /^[A-Za-z0-9_-]{1,100}$/.test(site);
  // The one study of a link, for somebody outside who came by it.
  const share = page.get('share');
  const isShare = share !== null && /^[0-9a-f-]{36}$/.test(share);
  const branch = isShare
    ? '/shares/' + share
    : isReading
      ? '/readings/' + reading
      : isSite
        ? '/sites/' + site
        : '';
  const root = window.location.origin + '/dicom-web' + branch;

  // The viewer takes its language from where it remembers its own; ours goes before.
  if (page.get('lng') === null) {
    let language = 'zh-CN';
    try {
      language = window.localStorage.getItem('rdc.language') || language;
      const viewers = language.startsWith('zh') ? 'zh' : 'en-US';
      window.localStorage.setItem('i18nextLng', viewers);
      document.cookie = 'i18next=' + viewers + '; path=/; samesite=strict';
    } catch (error) {
      console.warn('the browser keeps no settings; the viewer chooses its language', error);
    }
  }

  // One of the viewer's modules (its ONNX runtime) takes its address from the script that is being
  // run, and else from Node's __filename, which no browser has. When a style sheet arrives after the
  // scripts, as on a busy machine or a slow line, the module is run by no script: without this the
  // page stays black.
  window.__filename = window.location.origin + '/viewer/app-config.js';

  // What the reader measures is stored with his session, whose token every unsafe request repeats.
  // The viewer has a place for an Authorization header alone, and a session needs none.
  let token = null;
  (isShare
    ? Promise.resolve(null)
    : window
        .fetch('/api/session', { headers: { Accept: 'application/json' } })
        .then((answer) => (answer.ok ? answer.json() : null))
  )
    .then((session) => {
      token = session && session.csrf_token;
    })
    .catch((error) => console.warn('measurements cannot be stored', error));
  const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (method, address, ...more) {
    open.call(this, method, address, ...more);
    if (token !== null && /^post$/i.test(method) && String(address).startsWith(root + '/')) {
      this.setRequestHeader('X-CSRF-Token', token);
    }
  };

  // Two studies beside each other in one row: the viewer's own arrangement for two makes four places
  // of it, and leaves half of the window empty where each study has one series to show.
  const ofStudy = (index) => ({
    studyMatchingRules: [
      {
        attribute: 'studyInstanceUIDsIndex',
        from: 'options',
        required: true,
        constraint: { equals: { value: index } },
      },
    ],
    seriesMatchingRules: [
      { attribute: 'numImageFrames', constraint: { greaterThan: { value: 0 } } },
      { attribute: 'isDisplaySetFromUrl', weight: 20, constraint: { equals: true } },
    ],
  });
  const place = (id) => ({
    viewportOptions: { toolGroupId: 'default', viewportType: 'stack', allowUnmatchedView: true },
    displaySets: [{ id }],
  });
  const compare = {
    id: 'rdc/compare',
    name: 'Compare',
    numberOfPriorsReferenced: 1,
    protocolMatchingRules: [
      {
        id: 'two studies',
        weight: 1000,
        attribute: 'StudyInstanceUID',
        from: 'prior',
        required: true,
        constraint: { notNull: true },
      },
    ],
    toolGroupIds: ['default'],
    displaySetSelectors: { current: ofStudy(0), prior: ofStudy(1) },
    defaultViewport: {
      viewportOptions: { viewportType: 'stack', toolGroupId: 'default', allowUnmatchedView: true },
      displaySets: [{ id: 'current', matchedDisplaySetsIndex: -1 }],
    },
    stages: [
      {
        name: 'beside',
        viewportStructure: { layoutType: 'grid', properties: { rows: 1, columns: 2 } },
        viewports: [place('current'), place('prior')],
      },
    ],
  };
  const arrangements = {
    id: 'rdc.arrangements',
    getHangingProtocolModule: () => [{ name: compare.id, protocol: compare }],
  };

  // Beside the report every pixel is for images: the list of series opens at its button, and who the
  // patient is stands above, in the page around the viewer.
  const isFramed = window.parent !== window;
  const isNarrow = window.innerWidth < 1000;

  window.config = {
    name: 'rdc',
    routerBasename: '/viewer',
    extensions: [arrangements],
    modes: [],
    modesConfiguration: {
      '@ohif/mode-longitudinal': {
        routes: { 0: { layoutInstance: { props: { leftPanelClosed: { $set: isNarrow } } } } },
      },
    },
    showPatientInfo: isFramed ? 'disabled' : 'visibleCollapsed',
    // The viewer's name stands where its tools begin when there is little room.
    whiteLabeling: isNarrow
      ? { createLogoComponentFn: (React) => React.createElement('span') }
      : undefined,
    customizationService: { 'ohif.tours': { $set: [] } },
    showStudyList: false,
    investigationalUseDialog: { option: 'never' },
    showWarningMessageForCrossOrigin: false,
    showCPUFallbackMessage: true,
    showLoadingIndicator: true,
    showErrorDetails: 'production',
    strictZSpacingForVolumeViewport: true,
    groupEnabledModesFirst: true,
    maxNumberOfWebWorkers: 3,
    // Browsers open six connections to a server: more at once would only wait in line.
    maxNumRequests: { interaction: 100, thumbnail: 8, prefetch: 12 },
    defaultDataSourceName: 'dicomweb',
    dataSources: [
      {
        namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
        sourceName: 'dicomweb',
        configuration: {
          friendlyName: 'RDC',
          name: 'rdc',
          qidoRoot: root,
          wadoRoot: root,
          wadoUriRoot: root,
          qidoSupportsIncludeField: true,
          supportsReject: false,
          supportsStow: true,
          dicomUploadEnabled: false,
          imageRendering: 'wadors',
          thumbnailRendering: 'wadors',
          enableStudyLazyLoad: true,
          supportsFuzzyMatching: true,
          supportsWildcard: true,
          singlepart: 'bulkdata,video,pdf',
          bulkDataURI: { enabled: true },
          omitQuotationForMultipartRequest: true,
        },
      },
    ],
    httpErrorHandler: function (error) {
      // The session has ended: the page of the web UI asks to sign in again. A guest has none; the page
      // of links says that his visit has ended.
      if (error && error.status === 401) {
        window.top.location.assign(isShare ? '/share' : '/sign-in');
      }
    },
  };
})();
