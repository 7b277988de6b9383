// RUN: not lamina-opt %s 2>&1 | filecheck %s

// CHECK: {{^}}lamina-opt: {{.*}}invalid.mlir:5:3: func.return in @the_op_that_does_not_verify_is_named: Expected arguments
func.func @the_op_that_does_not_verify_is_named() -> f32 {
  func.return
}
