// RUN: lamina-opt %s -p loop-merge-nests | filecheck %s

// CHECK-LABEL: func.func @perfect_nests_become_one(
// CHECK-NEXT:    loop.for %i < 4, %j < 3, %k < 2 {
// CHECK-NEXT:      vec.store %v, %y[%i, %j, %k] : f32, memref<4x3x2xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
func.func @perfect_nests_become_one(%v: f32, %y: memref<4x3x2xf32>) {
  loop.for %i < 4 {
    loop.for %j < 3 {
      loop.for %k < 2 {
        vec.store %v, %y[%i, %j, %k] : f32, memref<4x3x2xf32>
      }
    }
  }
  func.return
}

// CHECK-LABEL: func.func @carried_values_are_passed_through(
// CHECK-NEXT:    %r, %s = loop.for %i < 4, %j < 3 iter(%[[A:.*]] = %x, %[[B:.*]] = %y) : f32 {
// CHECK-NEXT:      loop.yield %[[B]], %[[A]] : f32, f32
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %r, %s : f32, f32
func.func @carried_values_are_passed_through(%x: f32, %y: f32) -> (f32, f32) {
  %r, %s = loop.for %i < 4 iter(%a = %x, %b = %y) : f32 {
    %t, %u = loop.for %j < 3 iter(%c = %a, %d = %b) : f32 {
      loop.yield %d, %c : f32, f32
    }
    loop.yield %t, %u : f32, f32
  }
  func.return %r, %s : f32, f32
}

// CHECK-LABEL: func.func @only_the_parallel_part_is_merged()
// CHECK-NEXT:    loop.for %i < 4, %j < 3 parallel {
// CHECK-NEXT:      loop.for %k < 2 {
// CHECK-NEXT:      }
func.func @only_the_parallel_part_is_merged() {
  loop.for %i < 4 parallel {
    loop.for %j < 3 parallel {
      loop.for %k < 2 {}
    }
  }
  func.return
}

// CHECK-LABEL: func.func @imperfect_nests_stay(
// CHECK-NEXT:    loop.for %i < 4 {
// CHECK-NEXT:      vec.store
// CHECK-NEXT:      loop.for %j < 3 {
func.func @imperfect_nests_stay(%v: f32, %y: memref<4xf32>) {
  loop.for %i < 4 {
    vec.store %v, %y[%i] : f32, memref<4xf32>
    loop.for %j < 3 {}
  }
  func.return
}

// CHECK-LABEL: func.func @exchanged_values_are_not_passed_through(
// CHECK-NEXT:    %r, %s = loop.for %i < 4 iter(%a = %x, %b = %y) : f32 {
// CHECK-NEXT:      %t, %u = loop.for %j < 3 iter(%c = %b, %d = %a) : f32 {
func.func @exchanged_values_are_not_passed_through(%x: f32, %y: f32) -> (f32, f32) {
  %r, %s = loop.for %i < 4 iter(%a = %x, %b = %y) : f32 {
    %t, %u = loop.for %j < 3 iter(%c = %b, %d = %a) : f32 {
      loop.yield %c, %d : f32, f32
    }
    loop.yield %t, %u : f32, f32
  }
  func.return %r, %s : f32, f32
}
