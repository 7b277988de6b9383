// RUN: lamina-opt %s -p verify-dominance --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @uses_behind_definitions_stay
func.func @uses_behind_definitions_stay(%x: memref<4xf32>) {
  %one = arith.constant 1.0 : f32
  loop.for %i < 4 {
    vec.store %one, %x[%i] : f32, memref<4xf32>
  }
  func.return
}

// -----
// CHECK-LABEL: func.func @definition_on_every_path_to_the_use_stays
func.func @definition_on_every_path_to_the_use_stays(%c: i1) -> f32 {
  %one = arith.constant 1.0 : f32
  cf.cond_br %c, ^a, ^b
^a:
  cf.br ^b
^b:
  func.return %one : f32
}

// -----
// CHECK: verify-dominance: %one, result 0 of arith.constant, is used before it is defined (operand 0 of vec.store in @use_before_definition); and 1 more
func.func @use_before_definition(%x: memref<4xf32>) {
  loop.for %i < 4 {
    vec.store %one, %x[%i] : f32, memref<4xf32>
  }
  %two = arith.negf %one : f32
  %one = arith.constant 1.0 : f32
  func.return
}

// -----
// CHECK: verify-dominance: result 0 of arith.negf is used in its own definition (operand 0 of arith.negf in @use_of_itself)
func.func @use_of_itself() {
  %0 = arith.negf %0 : f32
  func.return
}

// -----
// CHECK: verify-dominance: %one, result 0 of arith.constant, is used where it may not be defined (operand 0 of func.return in @definition_on_one_path_only)
func.func @definition_on_one_path_only(%c: i1) -> f32 {
  cf.cond_br %c, ^a, ^b
^a:
  %one = arith.constant 1.0 : f32
  cf.br ^b
^b:
  func.return %one : f32
}
