// RUN: not lamina-opt %s 2>&1 | filecheck %s

func.func @a_parse_error_has_line_and_column(%x: f32) {
  // CHECK: {{^}}lamina-opt: {{.*}}malformed.mlir:5:19: Operation arith.frob is not registered
  %y = arith.frob %x : f32
  func.return
}
