extension LogFormat {
  /// `w3c`: the W3C extended log format, as IIS writes it and CloudFront's standard logs.
  static let w3c = LogFormat(
    name: "w3c",
    summary: "W3C extended (IIS, CloudFront standard): the fields that #Fields names",
    rule: .headed(HeaderRule(kind: .w3c), first: []),
    configuration: """
      <!-- IIS 8.5 and later, %windir%\\system32\\inetsrv\\config\\applicationHost.config, in the <site>;
           CloudFront can log neither Origin nor a response header: log at the origin instead. -->
      <logFile logFormat="W3C" maxCustomFieldLength="4096">
        <customFields>
          <add logFieldName="cs-origin" sourceName="Origin" sourceType="RequestHeader" />
          <add logFieldName="cs-acrm" sourceName="Access-Control-Request-Method" sourceType="RequestHeader" />
          <add logFieldName="cs-acrh" sourceName="Access-Control-Request-Headers" sourceType="RequestHeader" />
          <add logFieldName="cs-fetch-mode" sourceName="Sec-Fetch-Mode" sourceType="RequestHeader" />
          <add logFieldName="cs-fetch-site" sourceName="Sec-Fetch-Site" sourceType="RequestHeader" />
          <add logFieldName="sc-acao" sourceName="Access-Control-Allow-Origin" sourceType="ResponseHeader" />
          <add logFieldName="sc-acac" sourceName="Access-Control-Allow-Credentials" sourceType="ResponseHeader" />
          <add logFieldName="sc-acam" sourceName="Access-Control-Allow-Methods" sourceType="ResponseHeader" />
          <add logFieldName="sc-acah" sourceName="Access-Control-Allow-Headers" sourceType="ResponseHeader" />
          <add logFieldName="sc-acma" sourceName="Access-Control-Max-Age" sourceType="ResponseHeader" />
        </customFields>
      </logFile>

      """,
    hides: [
      "a blank inside a value is written as +, so that the two cannot be told apart",
      "values of added fields are cut at maxCustomFieldLength (4096 by default)",
    ],
    rank: .unmistakable)
}
