// RUN: not lamina-opt %s 2>&1 | filecheck %s

func.func @bits_that_are_too_many_have_line_and_column() {
  // CHECK: {{^}}lamina-opt: {{.*}}invalid.mlir:5:29: needs the bits of f32, found '0x1234567890'
  %a = arith.constant dense<0x1234567890> : vector<4xf32>
  func.return
}
