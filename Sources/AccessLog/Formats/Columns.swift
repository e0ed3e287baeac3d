extension LogFormat {
  /// `csv`: comma-separated values whose first line names the columns.
  static let csv = LogFormat(
    name: "csv", summary: "comma-separated values, whose first line names the columns",
    rule: .headed(HeaderRule(kind: .columns(separator: UInt8(ascii: ","))), first: []),
    isRecognizedAlone: false)

  /// `tsv`: tab-separated values whose first line names the columns.
  static let tsv = LogFormat(
    name: "tsv", summary: "tab-separated values, whose first line names the columns",
    rule: .headed(HeaderRule(kind: .columns(separator: 0x09)), first: []),
    isRecognizedAlone: false)
}
